/**
 * Rows to training batches: they are read as a stream, encoded once into token shards on disk, and
 * served from there in a seeded order as padded batches.
 *
 * <pre>{@code
 * SampleEncoder encoder = PretrainingEncoder.of(tokenizer, fingerprint, 512);
 * TokenShards shards = TokenShards.openOrBuild(cache, Rows.of(csv), encoder, progress);
 * BatchOrder order = BatchOrder.of(shards, 64, seed);
 * try (BatchLoader loader = BatchLoader.start(order, epoch, firstBatch)) {
 *   for (Optional<Batch> next = loader.next(); next.isPresent(); next = loader.next()) {
 *     try (Batch batch = next.get()) {
 *       // train
 *     }
 *   }
 * }
 * }</pre>
 */
package io.minimind.data;
