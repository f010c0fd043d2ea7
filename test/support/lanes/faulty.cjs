/** The same as faulty.mjs: Node 20 ends the process where a thread is terminated while it requires a module of the other kind. */
module.exports = async (session) => (await import('./faulty.mjs')).default(session);
