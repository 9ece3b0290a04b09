// All of the SDK that is used, so that the bundle holds no more: what an import() takes apart is kept whole.
export { DescribeClusterCommand, EKSClient, ListClustersCommand } from '@aws-sdk/client-eks';
