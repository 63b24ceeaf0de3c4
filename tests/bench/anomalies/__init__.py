"""How well the anomaly rules do, on real tenants."""
