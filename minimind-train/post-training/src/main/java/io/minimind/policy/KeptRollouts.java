package io.minimind.policy;

import io.minimind.artifact.BatchInput;
import io.minimind.artifact.Extent;
import io.minimind.data.Batch;
import io.minimind.data.BatchOrder;
import io.minimind.data.Sample;
import io.minimind.data.Samples;
import io.minimind.policy.ProximalPolicyOptimization.Estimates;
import io.minimind.policy.RolloutSource.Plan;
import io.minimind.policy.RolloutSource.Written;
import io.minimind.runtime.ModelInTraining;
import io.minimind.task.BatchSource;
import io.minimind.task.Batching;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Answers that are learnt from in several passes of small batches, until the policy has moved too
 * far from that which wrote them; then the next prompts are answered. What is left of the present
 * answers is kept with a checkpoint.
 */
record KeptRollouts(ProximalPolicyOptimization task, BatchOrder prompts, Batching batching)
    implements BatchSource {

  /** Sets the draws of the order apart from those of the answers. */
  private static final long ORDER = 0x5eed;

  KeptRollouts(ProximalPolicyOptimization task, Samples prompts, Batching batching) {
    this(task, BatchOrder.of(prompts, batching.batchSize(), batching.seed()), batching);
  }

  /** Each batch of prompts has as many as if no answers were given up. */
  @Override
  public long batches() {
    return batching.heldOut() ? prompts.batches() : prompts.batches() * perRollout();
  }

  private int perRollout() {
    int mini = task.steps().miniBatch();
    return task.steps().passes() * ((batching.batchSize() + mini - 1) / mini);
  }

  @Override
  public Batches open(Place from, ModelInTraining model) throws IOException {
    return new Kept(from, model);
  }

  private final class Kept implements Batches {
    private final int epoch;
    private final ModelInTraining model;
    private final RolloutSource source;

    /** Batches of prompts that were answered in this epoch, the present one included. */
    private long answered;

    private List<Sample> samples = List.of();

    /** Mini-batches that were given of the present answers. */
    private int given;

    Kept(Place from, ModelInTraining model) throws IOException {
      epoch = from.epoch();
      this.model = model;
      if (from.batch() > 0 && from.state().length > 0) {
        read(from.state());
      }
      Plan plan =
          new Plan(
              task.start(),
              1,
              task.rollouts(),
              task.rewards(),
              task.objective().policy().beta() > 0);
      source = RolloutSource.open(plan, prompts, batching, model, epoch, answered);
    }

    @Override
    public Batch next() throws IOException {
      if (samples.isEmpty() || given == perRollout() || batching.heldOut()) {
        answer();
      }
      Batch batch = miniBatch();
      if (given > 0 && moved(batch) > task.steps().mostMoved()) {
        batch.close();
        answer();
        batch = miniBatch();
      }
      given++;
      return batch;
    }

    private float moved(Batch batch) {
      return model.evaluate(List.of(batch)).get(0).metrics().get(ActorCriticObjective.MOVED);
    }

    private void answer() throws IOException {
      Written written = source.next(epoch, answered % prompts.batches());
      answered++;
      given = 0;
      samples = learnable(written);
    }

    /** The answers with all that is learnt from them. */
    private List<Sample> learnable(Written written) throws IOException {
      List<Sample> plain = new ArrayList<>();
      for (int i = 0; i < written.rewards().length; i++) {
        Sample sample = written.rollouts().get(i).sample();
        for (BatchInput input : task.objective().inputs()) {
          int values = input.extent() == Extent.TOKEN ? sample.ids().length : 1;
          sample = sample.with(input.name(), new float[values]);
        }
        plain.add(
            sample
                .with(PolicyObjective.REWARDS.name(), (float) written.rewards()[i])
                .with(ActorCriticObjective.LEARNT.name(), 1));
      }
      List<Sample> known = source.withReference(plain);
      try (Batch batch = RolloutSource.batch(plain, task.objective().inputs())) {
        known = asked(known, batch, PolicyObjective.WRITTEN, PolicyObjective.LOG_PROBABILITIES);
        known = asked(known, batch, ActorCriticObjective.EXPECTED, ActorCriticObjective.VALUES);
      }
      return withAdvantages(known, written.rewards());
    }

    private List<Sample> asked(List<Sample> some, Batch batch, BatchInput column, String output) {
      float[] values = model.evaluate(List.of(batch), output).get(0);
      return RolloutSource.withColumn(some, column.name(), values, batch.length());
    }

    private List<Sample> withAdvantages(List<Sample> some, double[] rewards) {
      List<float[]> values =
          some.stream()
              .map(sample -> written(sample, ActorCriticObjective.EXPECTED.name()))
              .toList();
      Estimates found = task.steps().estimates(rewards, values);
      List<Sample> more = new ArrayList<>();
      for (int row = 0; row < rewards.length; row++) {
        Sample sample = some.get(row);
        more.add(
            sample
                .with(
                    PolicyObjective.ADVANTAGES.name(), column(sample, found.advantages().get(row)))
                .with(
                    ActorCriticObjective.RETURNS.name(), column(sample, found.returns().get(row))));
      }
      return more;
    }

    /** What a column has of the tokens that were written. */
    private static float[] written(Sample sample, String column) {
      float[] values = sample.columns().get(column);
      float[] some = new float[sample.targets().cardinality()];
      int count = 0;
      for (int i = sample.targets().nextSetBit(0); i >= 0; i = sample.targets().nextSetBit(i + 1)) {
        some[count++] = values[i];
      }
      return some;
    }

    private static float[] column(Sample sample, float[] written) {
      float[] values = new float[sample.ids().length];
      int count = 0;
      for (int i = sample.targets().nextSetBit(0); i >= 0; i = sample.targets().nextSetBit(i + 1)) {
        values[i] = written[count++];
      }
      return values;
    }

    /** The next of the present answers, in an order that is another in each pass. */
    private Batch miniBatch() throws IOException {
      List<Sample> some = new ArrayList<>();
      if (batching.heldOut()) {
        some.addAll(samples);
      } else {
        int perPass = perRollout() / task.steps().passes();
        int[] order = order(given / perPass);
        int mini = task.steps().miniBatch();
        for (int i = 0; i < mini; i++) {
          some.add(samples.get(order[(given % perPass * mini + i) % order.length]));
        }
      }
      return RolloutSource.batch(some, task.objective().inputs());
    }

    private int[] order(int pass) {
      SplittableRandom random =
          RolloutSource.random(batching.seed() + ORDER + pass, epoch, answered);
      int[] order = new int[samples.size()];
      Arrays.setAll(order, i -> i);
      for (int i = order.length - 1; i > 0; i--) {
        int other = random.nextInt(i + 1);
        int moved = order[i];
        order[i] = order[other];
        order[other] = moved;
      }
      return order;
    }

    @Override
    public byte[] state() {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      try (DataOutputStream out = new DataOutputStream(bytes)) {
        out.writeLong(answered);
        out.writeInt(given);
        StoredSamples.write(samples, task.objective().inputs(), out);
      } catch (IOException e) {
        throw new AssertionError("Memory has no failures.", e);
      }
      return bytes.toByteArray();
    }

    private void read(byte[] state) throws IOException {
      try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(state))) {
        answered = in.readLong();
        given = in.readInt();
        samples = StoredSamples.read(task.objective().inputs(), in);
      }
    }

    @Override
    public void close() {
      source.close();
    }
  }
}
