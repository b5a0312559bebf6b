package io.minimind.policy;

import io.minimind.artifact.BatchInput;
import io.minimind.artifact.ModelFolder;
import io.minimind.chat.ChatTemplate;
import io.minimind.data.Batch;
import io.minimind.data.BatchOrder;
import io.minimind.data.Sample;
import io.minimind.data.Samples;
import io.minimind.infer.LoadOptions;
import io.minimind.model.ModelConfig;
import io.minimind.policy.SingleTurn.Question;
import io.minimind.runtime.ModelInTraining;
import io.minimind.task.BatchSource;
import io.minimind.task.Batching;
import io.minimind.train.LiveModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.LongStream;

/**
 * Prompts in a seeded order, each answered several times by the model as it is. What is drawn
 * follows from the seed, the place and the weights, so there is nothing to keep with a checkpoint.
 */
record Rollouts(GroupPolicyOptimization task, BatchOrder prompts, Batching batching)
    implements BatchSource {

  /** Answers that are written at the same time: more of them need more memory for their keys. */
  private static final int MOST_AT_ONCE = 64;

  Rollouts(GroupPolicyOptimization task, Samples prompts, Batching batching) {
    this(
        task,
        BatchOrder.of(prompts, batching.batchSize(), batching.devices(), batching.seed()),
        batching);
  }

  @Override
  public long batches() {
    return prompts.batches();
  }

  @Override
  public Batches open(Place from, ModelInTraining model) throws IOException {
    return new Answered(from, model);
  }

  private final class Answered implements Batches {
    private final int epoch;
    private final Reward reward = Rewards.sum(task.rewards());
    private final SingleTurn answers;
    private final Optional<RolloutFile> file;
    private final Optional<ReferenceModel> reference;
    private final LiveModel live;
    private long number;

    private Answered(Place from, ModelInTraining model) throws IOException {
      epoch = from.epoch();
      number = from.batch();
      Path folder = batching.model();
      ModelConfig config = ModelConfig.read(folder.resolve(ModelFolder.CONFIG));
      answers = new SingleTurn(ChatTemplate.load(folder), task.rollouts());
      file =
          batching.heldOut()
              ? Optional.empty()
              : Optional.of(RolloutFile.open(folder, epoch, number));
      reference =
          task.objective().beta() == 0
              ? Optional.empty()
              : Optional.of(
                  ReferenceModel.open(
                      Path.of(task.from()), task.fromWeights(), config, batching.threads()));
      int rows = Math.min(MOST_AT_ONCE, batching.batchSize() * task.answers());
      LoadOptions options =
          LoadOptions.defaults().withThreads(batching.threads()).withBatchSize(rows);
      live = LiveModel.open(model, config, batching.adapters(), folder, options);
    }

    @Override
    public Batch next() throws IOException {
      SplittableRandom random = random();
      List<Question> questions = questions(random);
      long[] seeds = random.longs(questions.size()).toArray();
      List<Rollout> written = answers.answer(live.model(), questions, i -> seeds[i]);
      double[] rewards = reward.of(written.stream().map(Rollout::answer).toList());
      if (file.isPresent()) {
        file.get().append(epoch, number, written.subList(0, task.answers()), rewards);
      }
      number++;
      return batch(written, rewards);
    }

    /** Which follows from where it is. */
    private SplittableRandom random() {
      SplittableRandom ofSeed = new SplittableRandom(batching.seed());
      SplittableRandom ofEpoch = new SplittableRandom(ofSeed.nextLong() + epoch);
      return new SplittableRandom(ofEpoch.nextLong() + number);
    }

    /** Each prompt of the batch as many times as it is answered. */
    private List<Question> questions(SplittableRandom random) throws IOException {
      Samples samples = prompts.samples();
      int[] ids = new int[samples.longest()];
      boolean[] targets = new boolean[samples.longest()];
      List<Question> questions = new ArrayList<>();
      for (long sample : prompts.rows(epoch, number)) {
        Prompt prompt = PromptEncoder.prompt(ids, samples.read(sample, ids, targets));
        boolean thinking = random.nextDouble() < task.rollouts().thinking();
        for (int i = 0; i < task.answers(); i++) {
          questions.add(new Question(prompt, thinking));
        }
      }
      return questions;
    }

    private Batch batch(List<Rollout> written, double[] rewards) throws IOException {
      float[] advantages = Advantages.ofGroups(rewards, task.answers());
      List<Sample> samples = new ArrayList<>();
      for (int i = 0; i < written.size(); i++) {
        samples.add(
            written
                .get(i)
                .sample()
                .with(PolicyObjective.REWARDS.name(), (float) rewards[i])
                .with(PolicyObjective.ADVANTAGES.name(), written.get(i).tokens(advantages[i])));
      }
      if (reference.isPresent()) {
        addReference(samples, reference.get());
      }
      return batch(samples, task.objective().inputs());
    }

    private void addReference(List<Sample> samples, ReferenceModel reference) throws IOException {
      try (Batch batch = batch(samples, List.of())) {
        float[] found = reference.logProbabilities(batch);
        for (int row = 0; row < samples.size(); row++) {
          float[] values = new float[samples.get(row).ids().length];
          // That of a token is found where it is predicted, which is one before.
          System.arraycopy(found, row * batch.length(), values, 1, values.length - 1);
          samples.set(row, samples.get(row).with(PolicyObjective.REFERENCE.name(), values));
        }
      }
    }

    private Batch batch(List<Sample> samples, List<BatchInput> columns) throws IOException {
      return Batch.of(
          Samples.of(samples, 1, columns), LongStream.range(0, samples.size()).toArray());
    }

    @Override
    public void close() {
      live.close();
      reference.ifPresent(ReferenceModel::close);
    }
  }
}
