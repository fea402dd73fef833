/** A socket whose packets have this mark speaks to other nodes: it is not sent to an exit. */
export const underlayMark = 28_789;
