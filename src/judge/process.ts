import type { MetricJudgement } from './judgement.ts';
import type { Observation } from './window.ts';

/** How metrics of one kind are judged; the evidence is plain data of bounded size, however long the canary lasts. */
export interface Process<Evidence> {
  /** What is known before the first window: nothing. */
  begin(): Evidence;
  /** Adds what a look gave. Windows that were seen before count once. */
  see(known: Evidence, look: Observation): Evidence;
  judge(known: Evidence): MetricJudgement;
}
