/** A host name of AWS, with its region as the first group: `sqs.eu-west-1.amazonaws.com`, VPC endpoints, dual-stack and older names. */
export const AWS_HOST = /(?:^|\.)([a-z]{2,4}(?:-[a-z]+)+-\d)\.(?:[a-z]+\.)?(?:vpce\.)?(?:amazonaws\.com(?:\.cn)?|api\.aws)$/;
