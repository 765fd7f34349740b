"""Late-payment scores over HTTP: an HTTP front (FastAPI) and a small pool of scoring processes."""
