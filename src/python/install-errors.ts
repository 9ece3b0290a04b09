import { UserError } from '../action/errors.ts';
import type { Step } from './install-plan.ts';
import type { PythonProject } from './project.ts';

/** How the tools say that a server did not answer, or not to the end. */
export const NETWORK =
  /tcp connect error|connection (?:reset|refused|closed|aborted|broken)|operation timed out|timed out|timeout was reached|dns error|failed to lookup address|temporary failure in name resolution|name or service not known|error sending request|incomplete ?(?:read|message)|request or response body error|server disconnected|all attempts to connect|\b50[234] (?:server error|bad gateway|service unavailable|gateway time)|status code 50[234]|status (?:server error|code) \(?50[234]/i;

export interface Failed {
  readonly project: PythonProject;
  readonly step: Step;
  /** All that the step wrote. */
  readonly written: string;
  readonly exitCode: number;
}
export function explainFailure({ step, written, exitCode }: Failed): UserError {
  return new UserError(`${step.program} ${step.args.join(' ')} ${exitCode} ${written}`);
}
