"""What an analysis will cost, estimated from shapes alone."""

from dataclasses import dataclass

from htsr_ref.layers.matrices import BLOCK_ELEMENTS, Pool, WeightMatrix
from htsr_ref.spectra.solvers import SolverChoice, choose_solver


@dataclass(frozen=True)
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

    Spec: SPC-8. Source: Golub & Van Loan, Matrix Computations (operation counts).
    """
    flops, memory = zip(*[_cost(member, solver) for member in matrix.members], strict=True)
    return Cost(sum(flops), max(memory))


def _cost(matrix: WeightMatrix, solver: SolverChoice) -> tuple[float, int]:
    N, M = matrix.N, matrix.M
    if choose_solver(matrix.data.dtype, solver) == "gram":
        return N * M**2 + 4 / 3 * M**3, 8 * (2 * M**2 + min(N * M, BLOCK_ELEMENTS))
    return 4 * N * M**2 - 4 / 3 * M**3, 8 * 2 * N * M
