import { UserError } from '../action/errors.ts';

/** An image in the registry; one that was found there is not this run's to attest. */
export interface Pushed {
  readonly digest: string | undefined;
  readonly found?: boolean;
}

/** Another job may push the same content meanwhile; where tags are immutable this push is refused and that image is it. */
export async function buildOrFind(
  build: () => Promise<string | undefined>,
  find: () => Promise<string | undefined>,
): Promise<Pushed> {
  try {
    return { digest: await build() };
  } catch (error) {
    const digest = error instanceof UserError && /immutable/i.test(error.message) ? await find() : undefined;
    if (digest === undefined) throw error;
    return { digest, found: true };
  }
}
