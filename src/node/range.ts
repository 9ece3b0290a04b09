import semver from 'semver';

/** What is in both ranges of versions, as short as can be; undefined where nothing is. */
export function both(one: string, other: string): string | undefined {
  if (semver.subset(one, other)) return one;
  if (semver.subset(other, one)) return other;
  const sets = new semver.Range(one).set.flatMap((mine) =>
    new semver.Range(other).set.map((theirs) => [...mine, ...theirs].map(String).join(' ')),
  );
  // A set that excludes itself is empty.
  const possible = sets.filter((set) => semver.intersects(set, set));
  return possible.length === 0 ? undefined : possible.join(' || ');
}
