from pnas_trainer._cpu._kernels._compiled import Floats, compiled, offset


@compiled
def add_products(
    length: int, sums: Floats, at: int, a: Floats, a_at: int, a_step: int, b: Floats, b_at: int, b_step: int, n: int
) -> None:
    """Add `n` products, number by number, of stretches of `a` and `b`, one step apart each, to a stretch of `sums`.

    All three are vectors. Four products at a time, because sums that wait in a register are neither read nor written.
    """
    size, t0 = offset(length), offset(at)
    a0, a1, b0, b1 = offset(a_at), offset(a_step), offset(b_at), offset(b_step)
    a2, a3, b2, b3 = a1 + a1, a1 + a1 + a1, b1 + b1, b1 + b1 + b1
    while n >= 4:
        for t in range(size):
            some = a[a0 + t] * b[b0 + t] + a[a0 + a1 + t] * b[b0 + b1 + t]
            others = a[a0 + a2 + t] * b[b0 + b2 + t] + a[a0 + a3 + t] * b[b0 + b3 + t]
            sums[t0 + t] += some + others
        n, a0, b0 = n - 4, a0 + a2 + a2, b0 + b2 + b2
    if n == 3:
        for t in range(size):
            some = a[a0 + t] * b[b0 + t] + a[a0 + a1 + t] * b[b0 + b1 + t]
            sums[t0 + t] += some + a[a0 + a2 + t] * b[b0 + b2 + t]
    elif n == 2:
        for t in range(size):
            sums[t0 + t] += a[a0 + t] * b[b0 + t] + a[a0 + a1 + t] * b[b0 + b1 + t]
    elif n == 1:
        for t in range(size):
            sums[t0 + t] += a[a0 + t] * b[b0 + t]
