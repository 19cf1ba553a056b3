"""The same mining on a cluster of Apache Spark; imported only when `--engine spark` is asked for."""
