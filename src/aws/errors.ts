import { UserError, messageOf } from '../action/errors.ts';

/** The refusal in words when AWS does not accept the keys at all, else undefined. */
export function credentialFault(error: unknown): UserError | undefined {
  const name = error instanceof Error ? error.name : '';
  if (!/Expired|UnrecognizedClient|InvalidClientTokenId|InvalidSignature/.test(name)) return undefined;
  return new UserError(`AWS does not accept the credentials (${name}): ${told(error)}`, {
    remedy: 'Set role-to-assume, or give keys that are valid now.',
    cause: error,
  });
}

/** Whether AWS knows the caller and denies the action. */
export function isDenied(error: unknown): boolean {
  return error instanceof Error && error.name.startsWith('AccessDenied');
}

/** What AWS said, cut to a length fit for a log. */
export function told(error: unknown): string {
  return messageOf(error).slice(0, 500);
}

/** The IAM action that AWS itself names as missing; what was asked for where it names none. */
export function missingAction(error: unknown, asked: string): string {
  return /not authorized to perform: ([\w-]+:\w+)/.exec(messageOf(error))?.[1] ?? asked;
}
