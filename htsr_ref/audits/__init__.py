"""The audit: whose convention a table of numbers follows, and why it differs from the paper."""

from htsr_ref.audits.auditing import audit_table
from htsr_ref.audits.spectra import SharedSpectra
from htsr_ref.audits.tables import read_table

__all__ = ["SharedSpectra", "audit_table", "read_table"]
