import{createRequire as __require}from'node:module';const require=__require(import.meta.url),__dirname=import.meta.dirname;
async function u(e,t,o){let n=[],s=e.entries(),r=[],i=async()=>{for(let[a,c]of s){if(r.length>0)return;try{n[a]=await o(c)}catch(l){r.push(l)}}};if(await Promise.all(Array.from({length:Math.min(t,e.length)},i)),r.length>0)throw r[0];return n}export{u as a};
