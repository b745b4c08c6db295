// Eigenvalues and eigenvectors of a small symmetric matrix, by Jacobi's rotations (1846): slow for large ones, and accurate for all.

export interface SymmetricEigen {
  /** In no particular order. */
  readonly values: Float64Array;
  /** By rows: `vectors[row * size + column]` is component `row` of the eigenvector of `values[column]`. They are orthonormal. */
  readonly vectors: Float64Array;
}

/** Rounds of rotations, each over all pairs: convergence is quadratic, and ten are more than have ever been needed. */
const MOST_ROUNDS = 50;

/** @param matrix by rows, `size * size` numbers; what is below the diagonal is not read */
export function symmetricEigen(matrix: Float64Array, size: number): SymmetricEigen {
  const a = Float64Array.from(matrix);
  const vectors = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    vectors[row * size + row] = 1;
    for (let column = 0; column < row; column++) a[row * size + column] = a[column * size + row] ?? NaN;
  }
  for (let round = 0; round < MOST_ROUNDS; round++) {
    let outside = 0;
    let inside = 0;
    for (let row = 0; row < size; row++) {
      inside += (a[row * size + row] ?? NaN) ** 2;
      for (let column = row + 1; column < size; column++) outside += (a[row * size + column] ?? NaN) ** 2;
    }
    // What is left changes no digit of the eigenvalues.
    if (outside <= inside * Number.EPSILON ** 2) break;
    for (let row = 0; row < size; row++) for (let column = row + 1; column < size; column++) rotate(a, vectors, size, row, column);
  }
  return { values: Float64Array.from({ length: size }, (_, index) => a[index * size + index] ?? NaN), vectors };
}

/** Turns the plane of two axes so that their common element is 0. */
function rotate(a: Float64Array, vectors: Float64Array, size: number, p: number, q: number): void {
  const common = a[p * size + q] ?? NaN;
  if (common === 0) return;
  const theta = ((a[q * size + q] ?? NaN) - (a[p * size + p] ?? NaN)) / (2 * common);
  // The smaller of the two angles.
  const tangent = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const cosine = 1 / Math.sqrt(tangent * tangent + 1);
  const sine = tangent * cosine;
  for (let index = 0; index < size; index++) turn(a, index * size + p, index * size + q, cosine, sine);
  for (let index = 0; index < size; index++) turn(a, p * size + index, q * size + index, cosine, sine);
  for (let index = 0; index < size; index++) turn(vectors, index * size + p, index * size + q, cosine, sine);
}

function turn(values: Float64Array, one: number, other: number, cosine: number, sine: number): void {
  const x = values[one] ?? NaN;
  const y = values[other] ?? NaN;
  values[one] = cosine * x - sine * y;
  values[other] = sine * x + cosine * y;
}
