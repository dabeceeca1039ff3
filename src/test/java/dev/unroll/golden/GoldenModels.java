package dev.unroll.golden;

import dev.unroll.layer.Activation;
import dev.unroll.layer.Gru;
import dev.unroll.layer.Lstm;
import dev.unroll.layer.Pooling;
import dev.unroll.layer.Recurrent;
import dev.unroll.layer.RecurrentBuilder;
import dev.unroll.layer.Rnn;
import dev.unroll.train.AbsoluteError;
import dev.unroll.train.Adam;
import dev.unroll.train.BinaryCrossEntropy;
import dev.unroll.train.Divisor;
import dev.unroll.train.ElementLoss;
import dev.unroll.train.Huber;
import dev.unroll.train.Sgd;
import dev.unroll.train.SquaredError;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;

/** Every cell and option, every layer, every optimiser. A new one is a line here and a run of the writer. */
final class GoldenModels {
  private static final int I = RecurrentModel.INPUTS;
  private static final int H = RecurrentModel.HIDDEN;

  private GoldenModels() {}

  static List<GoldenModel> all() {
    List<GoldenModel> models = new ArrayList<>();
    models.add(recurrent("rnn-tanh", () -> Rnn.builder(I, H).seed(11)));
    models.add(recurrent("rnn-relu", () -> Rnn.builder(I, H).activation(Rnn.Activation.RELU).seed(12)));
    models.add(recurrent("lstm", () -> Lstm.builder(I, H).seed(13)));
    models.add(recurrent("lstm-peepholes", () -> Lstm.builder(I, H).peepholes(true).seed(14)));
    models.add(recurrent("lstm-coupled", () -> Lstm.builder(I, H).coupledInputForget(true).seed(15)));
    models.add(recurrent("lstm-projected", () -> Lstm.builder(I, H).projectionSize(29).seed(16)));
    models.add(
        recurrent(
            "lstm-all-options",
            () -> Lstm.builder(I, H).peepholes(true).coupledInputForget(true).projectionSize(29).bidirectional(true)));
    models.add(recurrent("gru", () -> Gru.builder(I, H).seed(17)));
    models.add(recurrent("gru-reset-before", () -> Gru.builder(I, H).resetBefore(true).seed(18)));
    models.add(recurrent("gru-without-bias", () -> Gru.builder(I, H).bias(false).seed(19)));
    models.add(recurrent("rnn-bidirectional", () -> Rnn.builder(I, H).bidirectional(true).seed(20)));
    models.add(recurrent("lstm-summed", () -> Lstm.builder(I, H).bidirectional(true).sumDirections(true).seed(21)));
    models.add(recurrent("lstm-stacked", () -> Lstm.builder(I, H).layers(3).seed(22)));
    models.add(recurrent("gru-stacked-bidirectional", () -> Gru.builder(I, H).layers(2).bidirectional(true).seed(23)));
    models.add(
        new RecurrentModel("lstm-dropout", false, () -> Lstm.builder(I, H).layers(2).dropout(0.4).seed(24)));
    models.add(
        new RecurrentModel(
            "gru-dropout-deep",
            false,
            () -> Gru.builder(I, H).layers(3).bidirectional(true).dropout(0.3).seed(25)));
    models.add(new TokenModel("rnn-tokens", () -> Rnn.builder(I, H).seed(27)));
    models.add(new TokenModel("lstm-tokens", () -> Lstm.builder(I, H).layers(2).bidirectional(true).seed(28)));
    models.add(new TokenModel("gru-tokens", () -> Gru.builder(I, H).bidirectional(true).seed(29)));
    models.add(new TokenModel("gru-reset-before-tokens", () -> Gru.builder(I, H).resetBefore(true).seed(30)));
    models.add(new PlainModel("embedding", PlainModel::embedding));
    models.add(new PlainModel("linear", PlainModel::linear));
    models.add(new PlainModel("softmax", PlainModel::softmax));
    models.add(new PlainModel("cross-entropy", PlainModel::crossEntropy));
    for (Activation kind : Activation.values()) {
      models.add(new PlainModel("activation-" + kind.name().toLowerCase(Locale.ROOT), PlainModel.activation(kind)));
    }
    for (ElementLoss loss : losses()) {
      String name = loss.getClass().getSimpleName().toLowerCase(Locale.ROOT);
      models.add(new PlainModel("loss-" + name, PlainModel.loss(loss)));
    }
    models.add(new PlainModel("loss-smoothed-labels", PlainModel::smoothedLabels));
    for (Pooling kind : Pooling.values()) {
      models.add(new PlainModel("pooling-" + kind.name().toLowerCase(Locale.ROOT), PlainModel.pooling(kind)));
    }
    models.add(new PlainModel("dropout", false, PlainModel::dropout));
    models.add(new PlainModel("features", PlainModel::features));
    models.add(new TrainingRun("training-sgd", p -> Sgd.builder(p).learningRate(0.1).build()));
    models.add(new TrainingRun("training-momentum", p -> Sgd.builder(p).learningRate(0.02).momentum(0.9).build()));
    models.add(new TrainingRun("training-adam", p -> Adam.builder(p).learningRate(0.003).clipNorm(1).build()));
    models.add(new LanguageModelRun());
    return models;
  }

  private static List<ElementLoss> losses() {
    Divisor divisor = Divisor.SUM_OVER_STEPS;
    return List.of(
        new SquaredError(divisor), new AbsoluteError(divisor), new Huber(divisor, 0.5), new BinaryCrossEntropy(divisor));
  }

  private static GoldenModel recurrent(String name, Supplier<RecurrentBuilder<?, ? extends Recurrent>> builder) {
    return new RecurrentModel(name, true, builder);
  }
}
