// Vectors of texts, and how alike they are.

export const length = (vector: readonly number[]) => Math.sqrt(vector.reduce((sum, each) => sum + each * each, 0));

/** The cosine of the angle between them: 1 the same direction, 0 nothing in common. */
export function likeness(one: readonly number[], other: readonly number[]): number {
  let product = 0;
  for (let index = 0; index < Math.min(one.length, other.length); index++) product += one[index]! * other[index]!;
  const lengths = length(one) * length(other);
  return lengths ? product / lengths : 0;
}

export function table(vectors: readonly (readonly number[])[]): number[][] {
  return vectors.map((one) => vectors.map((other) => likeness(one, other)));
}
