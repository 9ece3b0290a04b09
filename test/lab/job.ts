import { type BundleRun, type Step, startBundle } from '../run-bundle.ts';
import type { LabFacts } from './part.ts';

/** Runs a bundle as a step of a job does, with the lab in place of GitHub and AWS. In the log the runner's escapes are undone. */
export async function runJob({ aws, github }: LabFacts, { env, ...step }: Step): Promise<BundleRun> {
  const lab = {
    AWS_ENDPOINT_URL: aws?.endpoint,
    GITHUB_API_URL: github?.apiUrl,
    ACTIONS_ID_TOKEN_REQUEST_URL: github?.idTokenUrl,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: github?.idTokenRequestToken,
  };
  const run = await startBundle({ ...step, env: { ...lab, ...env } }).ended;
  return { ...run, log: run.log.replaceAll('%0A', '\n').replaceAll('%25', '%') };
}
