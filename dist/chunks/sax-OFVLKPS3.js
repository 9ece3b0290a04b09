import{createRequire as __require}from'node:module';const require=__require(import.meta.url),__dirname=import.meta.dirname;
import{a}from"./chunk-C7AZWJ36.js";import"./chunk-OPTNZQCU.js";export default a();
