"""What is claimed of a loss, and what a search finds: `measure` gives the figures, `findings` sets them beside the record's claims.

measured = measure("giou")        seeded, with exact gradients, in some seconds; `remembered` does it once
findings(find("giou"), measured)  one sentence a claim, and whether it holds
"""

from boxloss.claims.findings import Finding, findings
from boxloss.claims.kept import digest, kept, remembered
from boxloss.claims.measure import measure
from boxloss.claims.measured import Measured
from boxloss.claims.similar import Likeness, similar

__all__ = ["Finding", "Likeness", "Measured", "digest", "findings", "kept", "measure", "remembered", "similar"]
