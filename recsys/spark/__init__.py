"""Training, fold-in and lists on a Spark cluster; the bundle is that of one machine."""
