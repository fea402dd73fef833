import type { NodeCertificate } from "../identity/types.ts";
import { memoryStreamPair } from "../streams/memory_stream.ts";
import { PathStream } from "../streams/mesh_stream.ts";
import { expectOk } from "../streams/answer.ts";
import {
  BufferedStream,
  IncomingRequest,
  type MeshStream,
  type StreamRequest,
} from "../streams/mod.ts";

/** A stream from this node to itself, served like any other: the same target rules, the same refusals. */
export async function openLocalStream(
  self: NodeCertificate,
  request: StreamRequest,
  serve: (incoming: IncomingRequest) => Promise<void>,
): Promise<MeshStream> {
  const [near, far] = memoryStreamPair();
  const path = [self.id];
  const incoming = new IncomingRequest(new BufferedStream(far), {
    origin: self,
    protocol: request.protocol,
    target: request.target,
    port: request.port,
    path,
  }, self.id);
  const stream = new BufferedStream(near);
  // Serving goes on for the life of the stream; how it ends is seen on the stream itself.
  const serving = serve(incoming).catch(() => near.reset());
  void serving;
  await expectOk(stream, self.id);
  return new PathStream(stream, self, path);
}
