import{createRequire as __require}from'node:module';const require=__require(import.meta.url),__dirname=import.meta.dirname;
function r(o){return Object.fromEntries(["ACTIONS_ID_TOKEN_REQUEST_URL","ACTIONS_ID_TOKEN_REQUEST_TOKEN"].flatMap(t=>o[t]?[[t,o[t]]]:[]))}export{r as a};
