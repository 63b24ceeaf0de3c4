"""What the collector tells about itself and what keeps it out of trouble: counters, readiness, the disk, backups."""
