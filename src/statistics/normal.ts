/**
 * The value below which a standard normal one stays with chance `p`, to about 1e-9 (P. Acklam's rational approximation
 * from 2003, which is in the public domain).
 * @param p within 0 to 1, ends excluded
 */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`normalQuantile of ${p}`);
  if (p > 0.5) return -normalQuantile(1 - p);
  if (p < 0.024_25) {
    const q = Math.sqrt(-2 * Math.log(p));
    return polynomial(C, q) / (polynomial(D, q) * q + 1);
  }
  const q = p - 0.5;
  return (polynomial(A, q * q) * q) / (polynomial(B, q * q) * q * q + 1);
}

/**
 * The same of Student's t with so many degrees of freedom, by the first terms of its expansion around the normal one
 * (R. A. Fisher, E. A. Cornish, Technometrics 2, 1960); some percent too small with three and fewer.
 */
export function studentQuantile(p: number, freedom: number): number {
  const z = normalQuantile(p);
  const terms = [z ** 3 + z, 5 * z ** 5 + 16 * z ** 3 + 3 * z, 3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z];
  return terms.reduce((sum, term, i) => sum + term / ((PARTS[i] ?? 1) * freedom ** (i + 1)), z);
}

const PARTS = [4, 96, 384] as const;

/** Of falling powers. */
function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, c) => sum * x + c, 0);
}

const A = [
  -39.696_830_286_653_76, 220.946_098_424_520_5, -275.928_510_446_968_7, 138.357_751_867_269, -30.664_798_066_147_16,
  2.506_628_277_459_239,
];
const B = [
  -54.476_098_798_224_06, 161.585_836_858_040_9, -155.698_979_859_886_6, 66.801_311_887_719_72, -13.280_681_552_885_72,
];
const C = [
  -0.007_784_894_002_430_293, -0.322_396_458_041_136_5, -2.400_758_277_161_838, -2.549_732_539_343_734,
  4.374_664_141_464_968, 2.938_163_982_698_783,
];
const D = [0.007_784_695_709_041_462, 0.322_467_129_070_039_8, 2.445_134_137_142_996, 3.754_408_661_907_416];
