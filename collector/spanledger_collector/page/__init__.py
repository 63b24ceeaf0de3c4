"""The built-in page: the panels, drawn in a browser, for people without Grafana."""

from spanledger_collector.page.routes import build_page

__all__ = ["build_page"]
