/**
 * A signal for work that may still end after the run was cancelled: it aborts `ms` milliseconds after `signal` does,
 * with the same reason.
 */
export function graceAfter(signal: AbortSignal, ms: number): AbortSignal {
  const late = new AbortController();
  const start = (): void => void setTimeout(() => late.abort(signal.reason), ms).unref();
  if (signal.aborted) start();
  else signal.addEventListener('abort', start, { once: true });
  return late.signal;
}
