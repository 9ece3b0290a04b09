import{createRequire as __require}from'node:module';const require=__require(import.meta.url);
import{a,b,c,d,e}from"./chunk-5NCMW5IS.js";import"./chunk-MBDNABWC.js";export{b as TomlDate,a as TomlError,e as default,c as parse,d as stringify};
