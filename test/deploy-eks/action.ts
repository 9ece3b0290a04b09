import { type Running, startBundle } from '../run-bundle.ts';

export type { BundleRun as Ended } from '../run-bundle.ts';

/** Starts deploy-eks as the runner does. */
export function start(
  inputs: Readonly<Record<string, string>>,
  { workspace, env = {} }: { readonly workspace: string; readonly env?: Readonly<Record<string, string>> },
): Running {
  return startBundle({ action: 'deploy-eks', inputs, workspace, env });
}
