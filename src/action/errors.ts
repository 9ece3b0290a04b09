/** Where in the user's repository something stands: `line` and `column` count from 1. */
export interface Place {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  /** The last line, where it stands for several. */
  readonly endLine?: number;
}

/** What a {@link UserError} tells besides its message. */
export interface UserErrorDetails {
  /** The next step, as a sentence: it is shown under the message. */
  readonly remedy?: string;
  /** Where the mistake stands; it becomes an annotation there. */
  readonly place?: Place;
  /** Each mistake by itself, when one error stands for several. */
  readonly problems?: readonly Problem[];
  readonly cause?: unknown;
}

/** One thing that the user has to change. */
export interface Problem {
  readonly message: string;
  readonly remedy?: string;
  readonly place?: Place;
}

/** A fault that the user can mend: shown without a stack, with the remedy, and annotated where it stands. */
export class UserError extends Error implements Problem {
  override readonly name: string = 'UserError';
  readonly remedy?: string;
  readonly place?: Place;
  readonly problems: readonly Problem[];

  constructor(message: string, details: UserErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    if (details.remedy !== undefined) this.remedy = details.remedy;
    if (details.place !== undefined) this.place = details.place;
    this.problems = details.problems ?? [this];
  }

  /**
   * One error out of all problems found, so that a user mends them in one go.
   * @throws RangeError when there is no problem at all
   */
  static all(problems: readonly Problem[], heading: string): UserError {
    const [first, ...others] = problems;
    if (!first) throw new RangeError('UserError.all needs at least one problem');
    if (others.length === 0) return new UserError(first.message, { ...first, problems });
    return new UserError(`${heading} (${problems.length}):\n${problems.map((p) => `- ${describe(p)}`).join('\n')}`, {
      problems,
    });
  }
}

/** The same fault with each place moved, such as from a folder of the repository to the repository's root. */
export function withPlaces(error: UserError, move: (place: Place) => Place): UserError {
  const moved = ({ message, remedy, place }: Problem): Problem => ({
    message,
    ...(remedy !== undefined && { remedy }),
    ...(place !== undefined && { place: move(place) }),
  });
  return new UserError(error.message, { ...moved(error), problems: error.problems.map(moved), cause: error });
}

/**
 * Runs every check and gives their results.
 * @throws UserError with the problems of all checks, each once; whatever else a check throws comes as it is
 */
export function checkAll<const T extends readonly (() => unknown)[]>(
  heading: string,
  checks: T,
): { readonly [K in keyof T]: ReturnType<T[K]> } {
  const problems = new Map<string, Problem>();
  const results = checks.map((check) => {
    try {
      return check();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      for (const problem of error.problems) problems.set(describe(problem), problem);
      return undefined;
    }
  });
  if (problems.size > 0) throw UserError.all([...problems.values()], heading);
  return results as { readonly [K in keyof T]: ReturnType<T[K]> };
}

/** A failure whose outputs still count: `verdict` and the like are set before the job fails. */
export class Failed extends UserError {
  override readonly name = 'Failed';
  readonly outputs: Readonly<Record<string, string>>;

  constructor(message: string, outputs: Readonly<Record<string, string>>, details: UserErrorDetails = {}) {
    super(message, details);
    this.outputs = outputs;
  }
}

/** The run was cancelled, by the user or by the runner going away. */
export class Cancelled extends Error {
  override readonly name: string = 'Cancelled';
  constructor(signal: NodeJS.Signals) {
    super(`cancelled by ${signal}`);
  }
}

/** `file:line: message. Remedy` on one line, for lists and logs. */
export function describe(problem: Problem): string {
  const where = problem.place ? `${showPlace(problem.place)}: ` : '';
  return `${where}${problem.message}${problem.remedy === undefined ? '' : ` → ${problem.remedy}`}`;
}

/** `file`, `file:12` or `file:12:3`. */
export function showPlace({ file, line, column }: Place): string {
  return [file, line, line === undefined ? undefined : column].filter((part) => part !== undefined).join(':');
}

/** What went wrong in words, whatever was thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message || error.name;
  return String(error);
}
