"""The asyncio side: connections, exchanges with the app, clocks, files."""
