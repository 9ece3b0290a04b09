/** What the parts of a running lab tell those who use them; each part adds its own once it is up. */
export interface LabFacts {
  cluster?: {
    /** `https://host:port` of the API server. */
    endpoint: string;
    /** PEM file of the CA that signed the server's certificate. */
    caFile: string;
    /** A kubeconfig of an administrator: the lab's own with a token, or the one that the user named. */
    kubeconfig: string;
    /** The administrator's token; none in a cluster that the user named. */
    adminToken?: string;
    /** EKS name of the cluster, which its tokens must carry. */
    name: string;
    /** There is no real node: every pod turns Ready but runs nothing. */
    simulated: boolean;
    /** Address of the real node, where NodePorts answer. */
    nodeAddress?: string;
    /** Folder of the real node's containerd that says where images of a registry are pulled from. */
    registryHosts?: string;
    /** The lab's registry as the real node reaches it: `http://host:port`. */
    registryMirror?: string;
    /** Where the API server asks its TokenReview webhook (served by the aws part); none in a cluster that the user named. */
    webhookPort?: number;
  };
  registry?: {
    /** `127.0.0.1:port`, plain HTTP. */
    host: string;
  };
  images?: {
    /** `unix:///…` for DOCKER_HOST. */
    dockerHost: string;
    /** For DOCKER_CONFIG: holds the buildx plugin. */
    dockerConfig: string;
    /** This machine's address as containers of the engine see it: all that they reach. */
    address: string;
  };
  packages?: {
    /** The index of Python packages as image builds reach it. */
    url: string;
    /** Its address alone, as pip names hosts that it trusts without TLS. */
    host: string;
  };
  buildkit?: {
    /** For BUILDX_BUILDER, in the DOCKER_CONFIG of the images part. */
    builder: string;
  };
  aws?: {
    /** For AWS_ENDPOINT_URL. */
    endpoint: string;
    region: string;
    accountId: string;
    /** A role that may deploy, mapped to a user of the cluster. */
    roleArn: string;
    /** `127.0.0.1:port` before the names of ECR's repositories. */
    ecrHost: string;
    /** For controlOf(): faults, requests and settings. */
    control: string;
  };
  github?: {
    /** For GITHUB_API_URL. */
    apiUrl: string;
    /** For ACTIONS_ID_TOKEN_REQUEST_URL and _TOKEN. */
    idTokenUrl: string;
    idTokenRequestToken: string;
    token: string;
    /** For controlOf(): faults, requests and claims. */
    control: string;
  };
  cache?: {
    /** For ACTIONS_RESULTS_URL. */
    url: string;
    /** Signs a job's ACTIONS_RUNTIME_TOKEN: see parts/cache-token.ts. */
    secret: string;
    /** For controlOf(): faults and requests. */
    control: string;
  };
  'argo-rollouts'?: {
    /** Version of the controller, such as `v1.9.1`. */
    version: string;
  };
  runner?: {
    /** The act binary. */
    act: string;
    /** Folder to put first on PATH so that workflows get Node 24. */
    nodeBin: string;
  };
}

export type PartName = keyof LabFacts;

/** What a part is given to work with. */
export interface LabContext {
  /** Cached downloads and builds by version; survives `down`. */
  readonly cache: string;
  /** Folder of this part's running state; gone after `down`. */
  readonly state: string;
  /** Facts of the parts that are up. */
  readonly facts: Readonly<LabFacts>;
  /** One line on screen, under the part's name. */
  readonly progress: (message: string) => void;
}

/** One real part of the lab. `up` and `down` may be called in any state and any number of times. */
export interface Part<N extends PartName = PartName> {
  readonly name: N;
  /** Parts that must be up before this one. */
  readonly needs: readonly PartName[];
  /** What this machine misses, each with the Debian package or tool that brings it; empty when all is there. */
  missing(context: LabContext): Promise<readonly Missing[]>;
  /** Brings the part up, or finds it up, and waits until it serves. */
  up(context: LabContext): Promise<NonNullable<LabFacts[N]>>;
  /** Ends every process by its id and removes mounts, interfaces and files. */
  down(context: LabContext): Promise<void>;
  /** One line for people; starts with `up` or `down`. */
  status(context: LabContext): Promise<string>;
}

export interface Missing {
  readonly what: string;
  /** Debian packages that bring it; none where no package can, as with the rights of root. */
  readonly packages: readonly string[];
}
