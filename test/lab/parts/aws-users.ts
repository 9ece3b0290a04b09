import { isObject, texts } from './values.ts';

/** Whom the cluster takes an AWS identity for. */
export interface ClusterUser {
  readonly username: string;
  readonly groups: readonly string[];
}

/** The access entries of the cluster. */
export interface Users {
  /** By the ARN that STS tells, `arn:aws:sts::…:assumed-role/<role>/<session>`. */
  of(arn: string): ClusterUser | undefined;
  /** `{"<role ARN>": {"groups": […]}}`; null for the one role that the cluster knows from the start, as administrator. */
  set(value: unknown): void;
}

export function openUsers(roleArn: string): Users {
  const usual: ReadonlyMap<string, readonly string[]> = new Map([[roleArn, ['system:masters']]]);
  let entries = usual;
  return {
    of(arn) {
      const [, account = '', role = ''] = /^arn:aws:sts::(\d{12}):assumed-role\/([^/]+)\//.exec(arn) ?? [];
      const groups = entries.get(`arn:aws:iam::${account}:role/${role}`);
      return groups && { username: arn, groups };
    },
    set(value) {
      if (value !== null && !isObject(value)) throw new Error('users are null, or groups by role ARN');
      entries = value === null ? usual : new Map(Object.entries(value).map(([arn, user]) => [arn, groupsOf(user)]));
    },
  };
}

function groupsOf(user: unknown): readonly string[] {
  return texts(isObject(user) ? user['groups'] : undefined, 'groups');
}
