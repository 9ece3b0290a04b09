import type { RelationLock } from '../../migration/finding.ts';
import { blockingLocksOf } from '../effects.ts';
import type { Hazard, Step } from '../rule.ts';
import { settingsOf } from '../session.ts';

/** Longer than this, a queue behind the one who waits for a lock is an outage. */
const LONGEST_LOCK_WAIT_MS = 10_000;

/** Limits of waiting that are missing, switched off or too long. What is told of each script once is told by its first. */
export function* timeouts(step: Step): Generator<Hazard> {
  yield* forgotten(step);
  const [lock] = blockingLocksOf(step);
  if (!lock) return;
  yield* lockTimeout(step, lock);
  const limit = step.session.timeouts.get('statement_timeout');
  if (limit === undefined ? step.context.setsTimeouts === true : limit > 0) return;
  yield {
    code: 'statement-timeout-missing',
    message: `nothing limits how long this holds its lock on ${lock.relation}`,
    why: 'A statement that takes longer than anybody expected blocks as long.',
    remedy: 'Set a statement_timeout before.',
    rewrite: `SET statement_timeout = '60s';\n${step.sql};`,
    lock,
  };
}

function* lockTimeout({ session, context, sql }: Step, lock: RelationLock): Generator<Hazard> {
  const limit = session.timeouts.get('lock_timeout');
  if (limit === undefined ? context.setsTimeouts === true : limit > 0 && limit <= LONGEST_LOCK_WAIT_MS) return;
  const hazard = {
    why: `Where a long query holds ${lock.relation}, this waits for it, and every later query waits behind this one.`,
    remedy: 'Set a lock_timeout of some seconds before, and try again where it is not met.',
    rewrite: `SET lock_timeout = '2s';\n${sql};`,
    lock,
  };
  if (limit === undefined) {
    yield {
      code: 'lock-timeout-missing',
      message: `nothing limits how long this waits for its lock on ${lock.relation}`,
      ...hazard,
    };
    return;
  }
  const wait = limit === 0 ? 'without end, as the script has set' : `up to ${limit / 1000} s, as the script has set`;
  yield { code: 'lock-timeout-too-long', message: `this waits for its lock on ${lock.relation} ${wait}`, ...hazard };
}

function* forgotten({ node, session, sql }: Step): Generator<Hazard> {
  if (session.inTransaction || !settingsOf(node).some(({ isLocal }) => isLocal)) return;
  yield {
    code: 'set-local-without-transaction',
    message: 'no transaction is open here, so that SET LOCAL is forgotten at once',
    why: 'The statements after it run without the limit.',
    remedy: 'Leave LOCAL out.',
    rewrite: `${sql.replace(/\blocal\s+/i, '')};`,
  };
}
