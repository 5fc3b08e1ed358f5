"""The audit: whose convention a table of numbers follows, and why it differs from the paper."""

from htsr_ref.audit.auditing import audit
from htsr_ref.audit.spectra import SharedSpectra
from htsr_ref.audit.tables import read_table

__all__ = ["SharedSpectra", "audit", "read_table"]
