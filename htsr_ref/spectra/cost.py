"""What an analysis will cost, estimated from shapes alone."""

from dataclasses import dataclass

from htsr_ref.layers.matrices import BLOCK_ELEMENTS, Pool, WeightMatrix
from htsr_ref.spectra.solvers import SolverChoice, solver_of


@dataclass(frozen=True, slots=True)
class Cost:
    """Leading terms of the work on one matrix.

    Attributes
    ----------
    flops : floating-point operations of the eigensolver.
    memory : bytes of float64 work space at the peak.
    """

    flops: float
    memory: int


def estimate_cost(matrix: WeightMatrix | Pool, solver: SolverChoice = "auto") -> Cost:
    """Estimate the cost of one spectrum; the matrices of a pool are solved one after another.

    gram: N·M² for WᵀW, 4/3·M³ for the reduction to tridiagonal form; two M×M arrays and a block.
    svd: 4·N·M² - 4/3·M³ for the reduction to bidiagonal form; two N×M arrays.
    A product of factors of rank r: 2·(N + M)·r² for their reduction; they and a copy.

    Spec: SPC-8. Source: Golub & Van Loan, Matrix Computations (operation counts).
    """
    flops, memory = zip(*[_cost(member, solver) for member in matrix.members], strict=True)
    return Cost(sum(flops), max(memory))


def _cost(matrix: WeightMatrix, solver: SolverChoice) -> tuple[float, int]:
    N, M, r = matrix.N, matrix.M, matrix.rank_bound
    if r < M:
        return 2 * (N + M) * r**2, 8 * 2 * (N + M) * r
    if solver_of(matrix, solver) == "gram":
        return N * M**2 + 4 / 3 * M**3, 8 * (2 * M**2 + min(N * M, BLOCK_ELEMENTS))
    return 4 * N * M**2 - 4 / 3 * M**3, 8 * 2 * N * M
