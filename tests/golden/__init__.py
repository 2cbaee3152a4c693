"""Models, configs and parameters as past versions wrote them: later versions go on reading them."""
