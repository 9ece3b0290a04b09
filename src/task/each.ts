/** How many things are asked of one server at the same time without complaint. */
export const CONCURRENCY = 16;

/**
 * Maps with at most `limit` at work; results in the order of the items. Once one rejects, no other is begun, and those
 * under way are awaited before the rejection is passed on: what was asked of a server is then known.
 */
export async function eachOf<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (const [i, item] of queue) {
      if (failures.length > 0) return;
      try {
        results[i] = await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
  return results;
}
