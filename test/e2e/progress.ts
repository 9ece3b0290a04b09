import { safe } from '../../src/action/log.ts';
import type { WorkflowEvent } from '../lab/act.ts';

/** What a build tool or the runner itself tells in passing; the run's own log has it. */
const NOISE = /^(#\d+ |::|\s*$|>|npm |ℹ|✔|✖|added \d+|found \d+|up to date|audited)/;

/** Shows a run while it goes on: each job as it starts and ends, and the lines of this repository's actions. */
export function progressOf(say: (line: string) => void): (event: WorkflowEvent) => void {
  const started = performance.now();
  let shown = '';
  let folded = false;
  return ({ job, step, line, written, jobResult }) => {
    const name = job.split('/').at(-1) ?? '';
    const seconds = `${((performance.now() - started) / 1000).toFixed(0).padStart(3)} s`;
    if (jobResult !== undefined) return say(`${seconds}  ${name}: ${jobResult === 'success' ? '✅' : '❌'}`);
    if (line.includes('::group::')) folded = /generated|docker|npm|::group::(?:uv|pytest|ruff)/.test(line);
    if (line.includes('::endgroup::')) folded = false;
    if (!written || folded || NOISE.test(line) || !step.includes('delivery-actions')) return undefined;
    if (shown !== name) say(`${seconds}  ${name}`);
    shown = name;
    return say(`         ${safe(line).slice(0, 160)}`);
  };
}
