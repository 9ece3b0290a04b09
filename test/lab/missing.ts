import { messageOf } from '../../src/action/errors.ts';
import type { Missing } from './part.ts';

/** A part that can tell what it misses. */
export interface Wanted {
  readonly name: string;
  missing(): Promise<readonly Missing[]>;
}

/** Brings Debian packages, where that may be done unasked. */
export type Installer = (packages: readonly string[]) => void;

/**
 * Sees to it that nothing is missing: installs packages where there is an installer, once for all parts together.
 * @throws Error that names all that is still missing, by part, and the one command that installs it
 */
export async function bringMissing(wanted: readonly Wanted[], install?: Installer): Promise<void> {
  let missing = await missingOf(wanted);
  const packages = packagesOf(missing);
  if (install !== undefined && packages.length > 0) {
    install(packages);
    missing = await missingOf(wanted);
  }
  if (missing.length > 0) throw new Error(explain(missing, install !== undefined));
}

type MissingOfPart = Missing & { readonly part: string };

async function missingOf(wanted: readonly Wanted[]): Promise<readonly MissingOfPart[]> {
  const all: MissingOfPart[] = [];
  for (const part of wanted) {
    const found = await part.missing().catch((error: unknown) => [{ what: messageOf(error), packages: [] }]);
    all.push(...found.map((one) => ({ ...one, part: part.name })));
  }
  return all;
}

function explain(missing: readonly MissingOfPart[], installed: boolean): string {
  const lines = [...Map.groupBy(missing, ({ part }) => part)].map(
    ([part, ones]) => `  ${part}: ${ones.map(({ what }) => what).join('; ')}`,
  );
  const packages = packagesOf(missing).join(' ');
  const remedy =
    packages === '' || installed
      ? []
      : [
          `Install it: apt-get install ${packages}`,
          'As root on Debian, `npm run lab -- up --install` does that itself.',
        ];
  return [`${installed ? 'Still missing after installing' : 'This machine misses'}:`, ...lines, ...remedy].join('\n');
}

function packagesOf(missing: readonly Missing[]): readonly string[] {
  return [...new Set(missing.flatMap(({ packages }) => packages))].toSorted();
}
