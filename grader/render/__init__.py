"""A finished sheet as HTML, Markdown, CSV, JUnit or Gradescope results."""
