import type { Delivered } from './team.ts';
import { type Screen, plainSummary } from './terminal.ts';

/** What a story of the demo is told with. */
export interface Stage extends Pick<Screen, 'say' | 'quote'> {
  readonly screen: Screen;
  /** Everything is left running afterwards. */
  readonly keep: boolean;
  /** Begins a chapter, unless the reader wants no more. */
  readonly title: (what: string) => void;
  /** Says how long something took. */
  readonly timed: <T>(what: string, work: () => Promise<T>) => Promise<T>;
  /** Shows what a run told on its page. */
  readonly showSummaries: (delivered: Delivered) => void;
  /** What has to go when the story ends, however it does. */
  readonly own: (remove: () => Promise<void>) => void;
}

/** A story of the demo. */
export type Story = (stage: Stage) => Promise<void>;

export function openStage(screen: Screen, keep: boolean, interrupted: AbortSignal, own: Stage['own']): Stage {
  const { say, quote } = screen;
  return {
    screen,
    say,
    quote,
    keep,
    own,
    title(what) {
      interrupted.throwIfAborted();
      screen.title(what);
    },
    async timed(what, work) {
      const started = performance.now();
      const result = await work();
      say(`${what} after ${((performance.now() - started) / 1000).toFixed(0)} s`);
      return result;
    },
    showSummaries({ summaries, seconds }) {
      say(`the run took ${seconds.toFixed(0)} s; its page says:`);
      for (const { markdown } of summaries) {
        say('');
        quote(plainSummary(markdown));
      }
    },
  };
}
