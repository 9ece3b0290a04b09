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

/** What `work` comes to; when `signal` aborts first, it is no longer awaited and the signal's reason is thrown. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const done = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const stop = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true, signal: done.signal });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    done.abort();
  }
}
