/**
 * ln Γ(x) for x > 0, to about 1e-13 relative, by Lanczos's series (C. Lanczos, A Precision Approximation of the Gamma
 * Function, SIAM J. Numer. Anal. 1, 1964) with g = 7 and nine terms; small x by the recurrence Γ(x + 1) = x Γ(x).
 */
export function logGamma(x: number): number {
  if (!(x > 0)) throw new RangeError(`logGamma of ${x}`);
  if (x < 0.5) return logGamma(x + 1) - Math.log(x);
  const z = x - 1;
  const sum = LANCZOS.reduce((total, c, i) => total + c / (z + i + 1), 0.999_999_999_999_809_9);
  const t = z + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(sum);
}

const LANCZOS = [
  676.520_368_121_885_1, -1259.139_216_722_402_8, 771.323_428_777_653_1, -176.615_029_162_140_6, 12.507_343_278_686_905,
  -0.138_571_095_265_720_12, 9.984_369_578_019_572e-6, 1.505_632_735_149_311_6e-7,
];

/** ln B(a, b). */
export function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

/**
 * The part of the log likelihood that depends on `q` and `rho`: `bad` of `all` events fell on one side, whose share is
 * Beta distributed with mean `q` and dispersion `rho`, the correlation between two events of one window. The binomial
 * coefficient is left out, which ratios of likelihoods don't need. With rho = 0 it is the binomial's.
 * @param q within 0 to 1, ends excluded
 * @param rho from 0 up to 1, excluded
 */
export function logLikelihood(bad: number, all: number, q: number, rho: number): number {
  if (all === 0) return 0;
  if (rho < NO_DISPERSION) return bad * Math.log(q) + (all - bad) * Math.log1p(-q);
  const [a, b] = [(q * (1 - rho)) / rho, ((1 - q) * (1 - rho)) / rho];
  return logBeta(bad + a, all - bad + b) - logBeta(a, b);
}

/** Below it the differences of large logarithms lose more than the dispersion is worth. */
const NO_DISPERSION = 1e-6;
