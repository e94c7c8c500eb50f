// The README's program. Arguments: a folder of faces, a folder for the run, two photographs.
import FaceRecognition

let (faces, output) = (CommandLine.arguments[1], CommandLine.arguments[2])
var run = TrainingRun(data: faces, output: output)
run.network = "mobilefacenet"
(run.embeddingWidth, run.inputSide, run.batchSize, run.epochs) = (128, 64, 16, 5)
try run.start { step in print("step \(step.number)  loss \(step.loss)") }

let model = try FaceModel(path: output)
let photographs = try model.embed(files: Array(CommandLine.arguments[3...]))
print("cosine \(photographs[0].cosine(with: photographs[1]))")
