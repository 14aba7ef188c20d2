"""The server's settings, one module per stage; `quart_server.config` composes them."""
