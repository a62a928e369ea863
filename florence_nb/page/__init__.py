"""mini in a web page: the whole of Florence-2 in JavaScript, which runs in any browser, without a server."""
