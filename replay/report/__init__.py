"""A run's result as people and pipelines read it: HTML, JUnit and Markdown, projections of one JSON document."""
