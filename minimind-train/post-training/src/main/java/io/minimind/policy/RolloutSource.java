package io.minimind.policy;

import io.minimind.agent.ToolBox;
import io.minimind.artifact.BatchInput;
import io.minimind.artifact.ModelFolder;
import io.minimind.chat.ChatTemplate;
import io.minimind.data.Batch;
import io.minimind.data.BatchOrder;
import io.minimind.data.Sample;
import io.minimind.data.Samples;
import io.minimind.infer.LoadOptions;
import io.minimind.model.ModelConfig;
import io.minimind.policy.AnswerWriter.Question;
import io.minimind.runtime.LiveModel;
import io.minimind.runtime.ModelInTraining;
import io.minimind.task.Batching;
import io.minimind.task.FrozenModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.LongStream;

/**
 * Answers of the model in training to prompts in their order, and what they are worth. What is
 * drawn follows from the seed, the place and the weights.
 */
final class RolloutSource implements AutoCloseable {

  /** Answers that are written at the same time: more of them need more memory for their keys. */
  private static final int MOST_AT_ONCE = 64;

  /**
   * What a task says of its rollouts.
   *
   * @param answers to each prompt
   * @param withReference whether what the model to start from thinks is asked for
   */
  record Plan(
      FrozenModel start,
      int answers,
      RolloutSettings rollouts,
      List<String> rewards,
      boolean withReference) {}

  /** Answers, each with what it is worth. */
  record Written(List<Rollout> rollouts, double[] rewards) {}

  private final Plan plan;
  private final BatchOrder prompts;
  private final Batching batching;
  private final Reward reward;
  private final AnswerWriter writer;
  private final Optional<RolloutFile> file;
  private final Optional<ReferenceModel> reference;
  private final LiveModel live;

  private RolloutSource(
      Plan plan,
      BatchOrder prompts,
      Batching batching,
      AnswerWriter writer,
      Optional<RolloutFile> file,
      Optional<ReferenceModel> reference,
      LiveModel live) {
    this.plan = plan;
    this.prompts = prompts;
    this.batching = batching;
    this.reward = Rewards.sum(plan.rewards(), batching.threads());
    this.writer = writer;
    this.file = file;
    this.reference = reference;
    this.live = live;
  }

  /**
   * @param epoch from which on, and
   * @param number of the prompts' batch, lines of the rollout file come again
   */
  static RolloutSource open(
      Plan plan,
      BatchOrder prompts,
      Batching batching,
      ModelInTraining model,
      int epoch,
      long number)
      throws IOException {
    Path folder = batching.model();
    ModelConfig config = ModelConfig.read(folder.resolve(ModelFolder.CONFIG));
    AnswerWriter writer =
        new AnswerWriter(ChatTemplate.load(folder), plan.rollouts(), ToolBox.mock());
    Optional<RolloutFile> file =
        batching.heldOut()
            ? Optional.empty()
            : Optional.of(RolloutFile.open(folder, epoch, number));
    Optional<ReferenceModel> reference =
        plan.withReference()
            ? Optional.of(ReferenceModel.open(plan.start(), config, batching.threads()))
            : Optional.empty();
    int rows = Math.min(MOST_AT_ONCE, batching.batchSize() * plan.answers());
    LoadOptions options =
        LoadOptions.defaults().withThreads(batching.threads()).withBatchSize(rows);
    LiveModel live = LiveModel.open(model, config, batching.adapters(), folder, options);
    return new RolloutSource(plan, prompts, batching, writer, file, reference, live);
  }

  /** The answers to a batch of prompts: those to the first prompt, then those to the next. */
  Written next(int epoch, long number) throws IOException {
    SplittableRandom random = random(batching.seed(), epoch, number);
    List<Rollout> written = writer.answer(live.model(), questions(epoch, number, random), random);
    double[] rewards = reward.of(written.stream().map(Rollout::answer).toList());
    if (file.isPresent()) {
      file.get().append(epoch, number, written.subList(0, plan.answers()), rewards);
    }
    return new Written(written, rewards);
  }

  /** Draws that follow from a place. */
  static SplittableRandom random(long seed, int epoch, long number) {
    SplittableRandom ofSeed = new SplittableRandom(seed);
    SplittableRandom ofEpoch = new SplittableRandom(ofSeed.nextLong() + epoch);
    return new SplittableRandom(ofEpoch.nextLong() + number);
  }

  /** Each prompt of the batch as many times as it is answered. */
  private List<Question> questions(int epoch, long number, SplittableRandom random)
      throws IOException {
    Samples samples = prompts.samples();
    int[] ids = new int[samples.longest()];
    boolean[] targets = new boolean[samples.longest()];
    List<Question> questions = new ArrayList<>();
    for (long sample : prompts.rows(epoch, number)) {
      Prompt prompt = PromptEncoder.prompt(ids, samples.read(sample, ids, targets));
      boolean thinking = random.nextDouble() < plan.rollouts().thinking();
      for (int i = 0; i < plan.answers(); i++) {
        questions.add(new Question(prompt, thinking));
      }
    }
    return questions;
  }

  /** What the reference thinks of the tokens of samples, as a column, if it is asked for. */
  List<Sample> withReference(List<Sample> samples) throws IOException {
    if (reference.isEmpty()) {
      return samples;
    }
    try (Batch batch = batch(samples, List.of())) {
      return withColumn(
          samples,
          PolicyObjective.REFERENCE.name(),
          reference.get().logProbabilities(batch),
          batch.length());
    }
  }

  /**
   * Samples with a column of values that a graph gave for their batch.
   *
   * @param values [rows · length]
   */
  static List<Sample> withColumn(List<Sample> samples, String name, float[] values, int length) {
    List<Sample> more = new ArrayList<>();
    for (int row = 0; row < samples.size(); row++) {
      float[] column = new float[samples.get(row).ids().length];
      // That of a token is found where it is predicted, which is one before.
      System.arraycopy(values, row * length, column, 1, column.length - 1);
      more.add(samples.get(row).with(name, column));
    }
    return more;
  }

  static Batch batch(List<Sample> samples, List<BatchInput> columns) throws IOException {
    return Batch.of(Samples.of(samples, 1, columns), LongStream.range(0, samples.size()).toArray());
  }

  @Override
  public void close() {
    live.close();
    reward.close();
    reference.ifPresent(ReferenceModel::close);
  }
}
