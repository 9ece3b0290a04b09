/** Whether a value from outside is an object with fields. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A list of texts out of a value from outside. @throws Error naming `what` otherwise */
export function texts(value: unknown, what: string): readonly string[] {
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
  throw new Error(`${what} is a list of texts`);
}

/** Seconds out of a value from outside; null stands for `usual`. @throws Error naming `what` otherwise */
export function secondsOr<T>(usual: T, value: unknown, what: string): number | T {
  if (value === null) return usual;
  if (typeof value === 'number' && value > 0) return value;
  throw new Error(`${what} is seconds, or null`);
}
