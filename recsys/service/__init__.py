"""HTTP requests in, answers of a bundle out; the bundle can be replaced while requests are served."""
