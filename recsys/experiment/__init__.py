"""From a config and a log to models, measurements and reports: the room that knows all others."""
