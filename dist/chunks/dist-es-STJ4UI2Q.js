import{createRequire as __require}from'node:module';const require=__require(import.meta.url);
import{a,b,c,d,e,f,g}from"./chunk-PTKJL7JA.js";import"./chunk-HJELFZ5J.js";import"./chunk-SRB24SLN.js";import"./chunk-ARVFJLFC.js";import"./chunk-MBDNABWC.js";export{f as ENV_ACCOUNT_ID,e as ENV_CREDENTIAL_SCOPE,d as ENV_EXPIRATION,a as ENV_KEY,b as ENV_SECRET,c as ENV_SESSION,g as fromEnv};
